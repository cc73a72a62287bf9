"""Static files under names made from their content, JavaScript modules included."""

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class OwnStaticFiles(StaticFilesConfig):
    """Leaves out what we do not serve: htmx is vendored in static/, the API has no page of its own."""

    ignore_patterns = (*StaticFilesConfig.ignore_patterns, "rest_framework")


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Rewrites `import` in ES modules too, so that an old module never meets a new one."""

    support_js_module_import_aggregation = True

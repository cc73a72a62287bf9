"""Static files under names made from their content, JavaScript modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Rewrites `import` in ES modules too, so that an old module never meets a new one."""

    support_js_module_import_aggregation = True

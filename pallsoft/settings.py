"""One settings file; what differs between installations comes from the environment (docs/deploy.md)."""

from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

MODE = env.str("PALLSOFT_MODE", "production")  # demo | test | production
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Seal the contact data of participants: the first seals, all open (sites/sealing.py).
CONTACT_KEYS = env.list("PALLSOFT_CONTACT_KEYS", default=[])
ALLOWED_HOSTS = env.list("PALLSOFT_ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
BASE_URL = env.str("PALLSOFT_BASE_URL", "http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = [BASE_URL] if BASE_URL.startswith("https://") else []
SECURE = BASE_URL.startswith("https://")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "pallsoft.static.OwnStaticFiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "rest_framework",
    "csp",
    "pallsoft",
    "pallsoft.audit",
    "pallsoft.accounts",
    "pallsoft.outbox",
    "trials",
    "sites",
    "crf",
    "randomization",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "pallsoft.middleware.request_id",
    "pallsoft.middleware.no_nul",
    "pallsoft.middleware.reading",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "pallsoft.accounts.idle.Idle",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pallsoft.middleware.no_store",
    "pallsoft.middleware.refusals",
]

ROOT_URLCONF = "pallsoft.urls"
WSGI_APPLICATION = "pallsoft.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pallsoft.context.shell",
            ],
        },
    },
]

# One alias; the login is chosen by the environment (decision D4). The owner migrates, the app serves.
DB_ROLE = env.str("PALLSOFT_DB_ROLE", "app")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": env.str("PALLSOFT_DB_NAME", "pallsoft"),
        "USER": f"pallsoft_{DB_ROLE}",
        "PASSWORD": env.str(f"PALLSOFT_DB_PASSWORD_{DB_ROLE.upper()}", ""),
        "HOST": env.str("PALLSOFT_DB_HOST", "127.0.0.1"),
        "PORT": env.str("PALLSOFT_DB_PORT", "5432"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Rate limits and sessions live in the database, so that Redis may be down (decision D12).
# Many counters at once, or whoever guesses from many networks would push those of others out.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "pallsoft_cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = env.int("PALLSOFT_SESSION_HOURS", 12) * 3600
IDLE_SECONDS = env.int("PALLSOFT_IDLE_MINUTES", 15) * 60  # then the screen locks (accounts/idle.py)
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrftoken"
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = False  # the proxy does it; health checks come over plain HTTP inside
SILENCED_SYSTEM_CHECKS = ["security.W008"]  # asks for the line above
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE else None
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE
SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "pallsoft.accounts.passwords.OwnWordsValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "worklist"
ACCOUNT_ADAPTER = "pallsoft.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # the mail would point to a sign-up, which is closed
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# The key is account and network (accounts/adapter.py); the limit per network is far above what a hospital mistypes.
ACCOUNT_RATE_LIMITS = {"login_failed": "100/15m/ip,10/15m/key"}
# So many failed attempts at signing lock signing for so long, and tell the person and the security contact (SIG-08).
SIGNING_ATTEMPTS = env.int("PALLSOFT_SIGNING_ATTEMPTS", 5)
SIGNING_LOCK_MINUTES = env.int("PALLSOFT_SIGNING_LOCK_MINUTES", 30)
# Behind a proxy the rate limits count the address that the proxy names, else all sites share one.
ALLAUTH_TRUSTED_CLIENT_IP_HEADER = env.str("PALLSOFT_CLIENT_IP_HEADER", "") or None
ACCOUNT_USER_DISPLAY = "pallsoft.accounts.adapter.display_name"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "PALLSOFT"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up: the address is the one that the invitation reached

LANGUAGE_CODE = "nb"
LANGUAGES = [("nb", "Norsk bokmål"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Oslo"

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("PALLSOFT_STATIC_ROOT", str(BASE_DIR / ".demo" / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = MODE == "test"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "pallsoft.static.HashedStaticFiles"
    },
}
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

ANCHOR_DIR = Path(env.str("PALLSOFT_ANCHOR_DIR", str(BASE_DIR / ".demo" / "anchors")))
EXPORT_DIR = Path(env.str("PALLSOFT_EXPORT_DIR", str(BASE_DIR / ".demo" / "exports")))
EMAIL_HOST = env.str("EMAIL_HOST", "localhost")
EMAIL_PORT = env.int("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = env.str("PALLSOFT_EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_FILE_PATH = env.str("PALLSOFT_EMAIL_DIR", "") or None
DEFAULT_FROM_EMAIL = env.str("PALLSOFT_MAIL_FROM", "pallsoft@localhost")
SECURITY_CONTACT = env.str("PALLSOFT_SECURITY_CONTACT", DEFAULT_FROM_EMAIL)

# How text messages leave; empty: none do (pallsoft/outbox/sms.py).
SMS_BACKEND = env.str("PALLSOFT_SMS_BACKEND", "")
SMS_URL = env.str("PALLSOFT_SMS_URL", "")
SMS_TOKEN = env.str("PALLSOFT_SMS_TOKEN", "")
SMS_SENDER = env.str("PALLSOFT_SMS_SENDER", "")
SMS_DIR = env.str("PALLSOFT_SMS_DIR", "")

# Only the system in real use reminds, and writes to participants: a copy for training or a restore drill lacks this in
# its environment.
SENDS_REMINDERS = env.bool("PALLSOFT_SENDS_REMINDERS", False)

REDIS_URL = env.str("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5, "visibility_timeout": 43_200}
CELERY_TASK_TIME_LIMIT = 4 * 3600  # below the visibility timeout, or the broker would hand out a task that still runs
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "anchor-daily": {"task": "audit.anchor_daily", "schedule": crontab(hour="1", minute="30")},
    "export-sweep": {"task": "crf.sweep_exports", "schedule": 60.0, "options": {"expires": 50}},
    "plan-reminders": {"task": "crf.plan_reminders", "schedule": 600.0, "options": {"expires": 500}},
    "off-plan-daily": {"task": "crf.propose_off_plan", "schedule": crontab(hour="2", minute="30")},
    "outbox-sweep": {"task": "outbox.relay", "schedule": 60.0, "options": {"expires": 50}},
}

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"number": {"()": "pallsoft.failures.RequestNumber"}},
    "formatters": {
        "line": {
            "()": "pallsoft.failures.WithoutData",
            "format": "%(asctime)s %(levelname)s %(name)s [%(request_number)s] %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["number"], "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}

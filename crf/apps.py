from django.apps import AppConfig


class CrfConfig(AppConfig):
    name = "crf"

    def ready(self) -> None:
        from crf.waiting import waiting
        from sites import worklist

        worklist.register(waiting)

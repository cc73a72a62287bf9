"""A fault of ours: a number, a way forward, nothing of the inside."""

import logging

import pytest
from django.db import OperationalError
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from pallsoft import urls

SECRET = "hemmelig-tabell-17"


def broken(request: HttpRequest) -> None:
    raise RuntimeError(SECRET)


def without_database(request: HttpRequest) -> None:
    raise OperationalError(SECRET)


urlpatterns = [path("broken/", broken), path("away/", without_database), *urls.urlpatterns]
handler500 = urls.handler500


@pytest.fixture
def get(settings, sign_in, crc):
    settings.ROOT_URLCONF = __name__
    browser = Client(raise_request_exception=False)
    browser.cookies = sign_in(crc).cookies
    return browser.get


@pytest.mark.req("OPS-12")
def test_the_page_gives_a_number_and_a_way_forward_and_shows_nothing_inside(get):
    answer = get("/broken/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert answer["X-Request-Id"] in text
    assert 'href="/"' in text
    assert SECRET not in text and "Traceback" not in text


def test_the_number_on_the_page_finds_the_line_in_the_log(get, caplog):
    from pallsoft.failures import RequestNumber

    caplog.handler.addFilter(RequestNumber())
    with caplog.at_level(logging.ERROR, "django.request"):
        answer = get("/broken/")
    assert answer["X-Request-Id"] in {record.request_number for record in caplog.records}


def test_a_database_that_is_away_is_a_503_that_asks_to_try_again(get):
    answer = get("/away/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert SECRET not in answer.content.decode()

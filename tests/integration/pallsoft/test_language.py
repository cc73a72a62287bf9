"""Everybody chooses the language, also before signing in."""

from django.urls import reverse


def test_a_visitor_reads_the_sign_in_page_in_the_language_chosen(client, db):
    page = reverse("account_login")
    assert 'lang="nb"' in client.get(page).content.decode()
    answer = client.post(reverse("set_language"), {"language": "en", "next": page})
    assert answer.url == page
    assert 'lang="en"' in client.get(page).content.decode()


def test_the_way_back_never_leaves_this_host(client, db):
    answer = client.post(reverse("set_language"), {"language": "en", "next": "https://ond.example/"})
    assert not answer.url.startswith("https://ond.example")

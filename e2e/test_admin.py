"""The admin works under the policy of the site: no script or style of a page's own."""

import pytest
from django.contrib.auth.models import Permission
from playwright.sync_api import expect


@pytest.fixture
def owner(person):
    owner = person("owner")
    owner.is_staff = owner.is_superuser = True
    owner.save()
    owner.user_permissions.add(Permission.objects.get(codename="view_message_text"))
    return owner


def test_an_owner_looks_through_the_admin(sign_in, write, owner, alice, bob):
    letter = write(alice, bob, "<script>window.injected = 1</script>")
    page = sign_in(owner)
    page.goto("/admin/")
    page.get_by_role("link", name="Messages", exact=True).click()
    page.get_by_role("link", name=str(letter.pk), exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Change message")
    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_text("Are you sure")).to_be_visible()

    page.goto("/admin/messaging/message/")
    page.locator(f'input[name="_selected_action"][value="{letter.pk}"]').check()
    page.get_by_label("Action:").select_option(label="Show the text…")
    page.get_by_role("button", name="Go").click()
    page.get_by_label("Reason").fill("Report 12")
    page.get_by_role("button", name="Show the text").click()
    expect(page.get_by_role("blockquote")).to_contain_text("<script>window.injected = 1</script>")
    assert page.evaluate("window.injected") is None

    page.goto(f"/admin/accounts/user/{alice.pk}/change/")
    expect(page.get_by_label("Name:")).to_have_value(alice.username)
    page.goto("/admin/accounts/user/add/")
    page.goto("/admin/messaging/mailbox/cache/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Cache and refusals")

"""What SECURITY.md says of headers, cookies and limits is so."""

from site_config.tests.security_facts import BLOCK, PAGE, facts


def test_the_facts_are_those_of_a_public_site():
    [block] = BLOCK.findall(PAGE.read_text())
    assert block == facts(), "python -m site_config.tests.security_facts --write"

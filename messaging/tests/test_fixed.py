from django.template import engines
from django.utils.translation import override


def render(source, **values):
    return engines["django"].from_string(f"{{% load fixed %}}{source}").render(values)


def test_it_is_rendered_once():
    calls = []
    template = engines["django"].from_string("{% load fixed %}{% fixed %}once{% endfixed %}")
    body = template.template.nodelist[1].body
    body.render, render_body = lambda context: calls.append(1) or render_body(context), body.render
    assert [template.render() for _ in range(3)] == ["once"] * 3
    assert len(calls) == 1


def test_each_value_has_its_own():
    source = "{% for tab in tabs %}{% fixed tab %}[{{ tab }}]{% endfixed %}{% endfor %}"
    assert render(source, tabs=["all", "sent", "all"]) == "[all][sent][all]"


def test_each_language_has_its_own():
    template = engines["django"].from_string(
        "{% load fixed i18n %}{% fixed %}{% get_current_language as now %}{{ now }}{% endfixed %}"
    )
    said = []
    for language in ("en", "de", "en"):
        with override(language):
            said.append(template.render())
    assert said == ["en", "de", "en"]


def test_nothing_else_is_in_sight(rf):
    """No person, token or request: what everybody is given can hold nothing of anybody."""
    request = rf.get("/")
    request.user = "alice"
    template = engines["django"].from_string(
        "{% load fixed %}{% fixed tab %}{{ name }}{{ request }}{{ user }}{{ csrf_token }}"
        "{% csrf_token %}{{ tab }}{% endfixed %}"
    )
    assert template.render({"name": "alice", "tab": "all"}, request) == "all"


def test_what_is_escaped_stays_escaped():
    source = "{% fixed tab %}{{ tab }}{% endfixed %}"
    assert render(source, tab="<b>") == "&lt;b&gt;"

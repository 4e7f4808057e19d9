from django import template
from django.utils.translation import get_language

register = template.Library()


@register.tag
def fixed(parser, token):
    """`{% fixed tab %}…{% endfixed %}`: what depends on the language and these variables alone.

    It is rendered once a process for each of their values, with nothing else in sight: no person,
    no request, no token. So the values must be few, and never what somebody typed.
    """
    names = token.split_contents()[1:]
    body = parser.parse(["endfixed"])
    parser.delete_first_token()
    return FixedNode(body, [parser.compile_filter(name) for name in names])


class FixedNode(template.Node):
    child_nodelists = ("body",)

    def __init__(self, body, variables):
        self.body, self._variables = body, variables
        self._rendered = {}

    def render(self, context):
        values = tuple(variable.resolve(context) for variable in self._variables)
        known = (get_language(), *values)
        if known not in self._rendered:
            names = (variable.token for variable in self._variables)
            alone = context.new(dict(zip(names, values, strict=True)))
            self._rendered[known] = self.body.render(alone)
        return self._rendered[known]

"""Queries that are composed once a process, and asked again with other ids.

To compose the SQL of a query takes Django ten times as long as the database takes to answer it. For
what stands on every page, or in every write, that is too long; elsewhere a queryset reads better.
(To the database each is a query like any other: nothing is prepared on a connection.)
"""

from copy import copy
from types import SimpleNamespace

from django.db import connections

MOST = 20  # ids: of more, to compose the query is the least
STAND_IN = 2**62  # and what follows: ids that no row has, though a column could hold them


class Composed:
    """Called with ids, returns the list of what its queryset finds.

    `make(*ids)` returns the queryset, of models or of `values_list`. It is also called once for
    each number of ids, with stand-ins for them: so it may do nothing but compare them with columns
    of ids.
    """

    def __init__(self, make):
        self._make, self._known = make, {}

    def __call__(self, *ids):
        if len(ids) > MOST:
            return list(self._make(*ids))
        if max(ids) >= STAND_IN:
            return []
        queryset, compiler, sql, places = self._known.get(len(ids)) or self._compose(ids)
        values = [value if place is None else ids[place] for place, value in places]
        compiler = copy(compiler)  # another thread may be asking
        compiler.connection = connections[queryset.db]
        compiler.as_sql = lambda: (sql, values)
        return list(
            queryset._iterable_class(
                SimpleNamespace(
                    db=queryset.db,
                    query=SimpleNamespace(get_compiler=lambda using: compiler),
                    _fields=queryset._fields,
                    _known_related_objects={},
                )
            )
        )

    def _compose(self, ids):
        stand_ins = {STAND_IN + place: place for place in range(len(ids))}
        queryset = self._make(*stand_ins)
        compiler = queryset.query.get_compiler(queryset.db)
        sql, values = compiler.as_sql()
        compiler.connection = None  # of this thread, which may end
        places = [(stand_ins.get(value), value) for value in values]
        self._known[len(ids)] = queryset, compiler, sql, places
        return self._known[len(ids)]

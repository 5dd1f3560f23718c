"""A dict whose keys are attributes as well."""


class Ctx(dict):
    """Return the same values by key and by attribute."""

    def __init__(self, *args, **kwargs):
        super(Ctx, self).__init__(*args, **kwargs)
        self.__dict__ = self

    def __repr__(self):
        return "Ctx(%s)" % dict.__repr__(self)

    def copy(self):
        return Ctx(self)

"""``curator skillevolve``: the community's site, to read and to draft for."""

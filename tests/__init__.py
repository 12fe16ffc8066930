"""Makes this folder the package of its name: a dependency installs one called so, too."""

"""The oracle of Twenty Questions, what it knows and who asks it. Begin with `oracle`."""

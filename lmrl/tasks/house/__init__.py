"""The house of Text-Nav: its plan, its words, and TextWorld in its place. Begin with `house`."""

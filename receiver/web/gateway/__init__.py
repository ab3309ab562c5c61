"""The Graph-shaped API: the same paths, parameters, answers and errors as Facebook's."""

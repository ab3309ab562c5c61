"""How fast the project is: programs to run by hand, one for each question."""

"""A call and its answer: read, admitted, refused."""

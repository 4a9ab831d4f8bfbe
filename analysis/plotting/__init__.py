"""Values of figures, their drawing, and the files and tables that scripts leave."""

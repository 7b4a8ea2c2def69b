"""What flows through the program: records, their typed values, times and paths."""

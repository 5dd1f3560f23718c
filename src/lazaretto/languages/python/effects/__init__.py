"""What calls and assignments outside this code do: one module for each part of the vocabulary of facts."""

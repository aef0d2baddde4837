"""Painters: programs that make endless pictures of endless made-up classes."""

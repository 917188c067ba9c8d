"""What a release of a knowledge base is made of, and how two of them differ."""

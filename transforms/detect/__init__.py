"""Articles to mentions: what each article tells of ceasefires and armed acts."""

"""Thai persons' names in running text: a conditional random field over words, with the lists of names it looks up."""

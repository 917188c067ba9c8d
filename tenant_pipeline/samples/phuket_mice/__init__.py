"""The pilot tenant "Phuket MICE": invented venues, events, people and licences, made to overlap and to disagree."""

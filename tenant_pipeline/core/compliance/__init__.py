"""Rules of data protection that need nothing but their input."""

"""Who asks: access tokens (JWT), the issuers that are trusted, sign-in links and the browser's session."""

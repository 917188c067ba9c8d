"""The workspace: what the browser is sent. Eight panels, a file each, and no build step.

`panels/` has a module for each panel, `parts/` what several panels show, `vendor/` others' work (made by
scripts/vendor/build.sh). A module's types are in its JSDoc comments.
"""

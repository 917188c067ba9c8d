"""The sentences that the pipeline writes for people: made in English, kept so, and read in the reader's language.

A file a subject holds each sentence with its Thai and its Chinese; nothing here knows who reads.
"""

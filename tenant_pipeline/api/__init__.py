"""The HTTP interface for people and programs: who asks is verified here, what they ask for is done by services.

A route reads a request, calls one service and shapes the answer. No rule of the domain lives here.
"""

"""The cluster DNS of one worker: its own files and programs, and an API server that serves what the tests say."""

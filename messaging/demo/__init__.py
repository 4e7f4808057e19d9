"""The demo: a cast of a dozen people, what they wrote to each other, and how it is put on stage.

people.toml is the cast; threads/*.txt is the script, in the notation that script.py explains.
"""

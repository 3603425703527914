"""Small made studies and pairs where capabilities meet: what must be decided, and what must not.

Each holds codes and numbers (who is recommended, why, who is excluded, cautions), no sentences.
"""

"""Policy in Python: loading scripts, and what is around them. What they import is `policy/script`;
read `script` here first.
"""

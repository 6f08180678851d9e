"""Where policy is asked, and what it may answer. Knows no module and no language.

Read `hooks` first: every point at which policy is asked, in the order a message meets them. What
a handler is given is a `context.Session` and a `mail.Mail`; `chain` asks the handlers of a hook.
"""

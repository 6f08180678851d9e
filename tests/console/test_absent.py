"""What is said of commands which are not here."""

from angarium.console.absent import said


def test_a_command_of_a_module_names_the_module() -> None:
    assert said("dk_sign:main stats") == "the module domainkeys is not built yet"
    assert said("Adaptive LIST") == "the module adaptive is not built yet"


def test_more_words_say_more() -> None:

    assert said("tls rekey").startswith("there is no temporary RSA key")

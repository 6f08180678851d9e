"""What is said of commands which are not here."""

from angarium.console.absent import built, said


def test_a_command_of_a_module_names_the_module() -> None:
    assert said("commtouch_ctasd:main stats") == "the module commtouch is not built yet"
    assert said("Adaptive LIST") == "the module adaptive is not built yet"


def test_more_words_say_more() -> None:

    assert said("tls rekey").startswith("there is no temporary RSA key")


def test_commands_of_modules_which_are_built_come_with_them() -> None:
    assert said("dk_sign:main stats").endswith("is there a stanza dk_sign?")
    assert built("dk_sign:main stats")
    assert not built("adaptive list")
    assert not built("")

"""`make run` begins here. It needs Python and nothing else, and says what else is missing."""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NEWEST_FIRST = ("python3.13", "python3.12", "python3.11")


def main():
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        fitting = next(filter(None, map(shutil.which, NEWEST_FIRST)), None)
        if fitting is None:
            sys.exit(
                "Hearth needs Python 3.11, 3.12 or 3.13, and this one is {}.{}.\n"
                "Install one of them (Debian 12 has it: apt-get install python3), then run this again.".format(
                    *sys.version_info[:2]
                )
            )
        os.execv(fitting, [fitting, *sys.argv])
    sys.path.insert(1, os.path.join(os.path.dirname(HERE), "shared"))
    from hearth_setup.verbs import main as run_verb

    sys.exit(run_verb(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""`python -m regista` is the command `regista`."""

from regista.surfaces.cli import main

if __name__ == "__main__":
    main()

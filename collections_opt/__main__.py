"""``python -m collections_opt`` is ``collections-opt``."""

from collections_opt.cli.main import main

if __name__ == "__main__":
    main()

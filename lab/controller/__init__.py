"""The lab's controller: the subset of Palette's API that the collection uses, on SQLite, with its documented manners."""

"""What people are told, by mail and on the pages, each in the way they chose."""

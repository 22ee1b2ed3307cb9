"""What each page says, as plain data: one file a page. The same data is a template's and a JSON answer's."""

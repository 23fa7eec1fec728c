"""Importers and exporters: files of rows in, a report for each row out; the same file twice changes nothing."""

"""Paper: PDFs made from the definition and the data by WeasyPrint (PDF/UA-1, own fonts, no network)."""

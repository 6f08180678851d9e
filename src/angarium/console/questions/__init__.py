"""What workers can be asked, a file for each topic; `console/question` says how one is declared."""

CREATE TABLE suppressed (address TEXT PRIMARY KEY, since INTEGER);

"""Who somebody is: authentication of clients and at servers, and where passwords come from."""

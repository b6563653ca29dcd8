# nothing is locked: nothing is fetched

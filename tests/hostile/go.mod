module shm-operator-hostile

go 1.26

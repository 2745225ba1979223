// What clients ask for, checked and carried out. A command that is malformed or impossible is counted, logged and answered with an error;
// it never ends the driver.

using System.Text;

namespace MarginEngine.Aeron;

internal sealed partial class DriverConductor
{
    private const int MaxTokenLength = 4096;

    void ICommandHandler.OnCommand(int type, ReadOnlySpan<byte> command)
    {
        try
        {
            Obey(type, new CommandReader(command));
        }
        catch (CommandException error)
        {
            Refuse(type, command, error.Error, error.Message);
        }
        catch (ChannelException error)
        {
            Refuse(type, command, DriverError.InvalidChannel, error.Message);
        }
        catch (StorageSpaceException error)
        {
            Refuse(type, command, DriverError.StorageSpace, error.Message);
        }
        catch (IOException error)
        {
            Refuse(type, command, DriverError.ChannelEndpoint, error.Message);
        }
    }

    private void Refuse(int type, ReadOnlySpan<byte> command, DriverError error, string reason)
    {
        _counts.CommandsRefused++;
        LogError($"command 0x{type:X2} refused: {reason}");
        if (command.Length >= CommandReader.HeadLength)
            _events.Error(new CommandReader(command).CorrelationId, error, reason);
    }

    private void Obey(int type, in CommandReader command)
    {
        long correlationId = command.CorrelationId;
        switch (type)
        {
            case Command.ClientClose:
                if (_clients.TryGetValue(command.ClientId, out DriverClient? leaving))
                    Remove(leaving);
                return;
            case Command.ClientKeepAlive:
                if (_clients.TryGetValue(command.ClientId, out DriverClient? living))
                    _counters.Store(living.HeartbeatId, NowMillis);
                return;
            case Command.TerminateDriver:
                Terminate(command);
                return;
        }

        DriverClient client = FindOrAdd(command.ClientId);
        _counters.Store(client.HeartbeatId, NowMillis);
        switch (type)
        {
            case Command.AddPublication:
            case Command.AddExclusivePublication:
                AddPublication(client, correlationId, command.Int32(16), command.Text(20), type == Command.AddExclusivePublication);
                break;
            case Command.RemovePublication:
                RemovePublication(client, correlationId, command.Int64(16), command.Length >= 32 && (command.Int64(24) & 1) != 0);
                break;
            case Command.AddSubscription:
                AddSubscription(client, correlationId, command.Int32(24), command.Text(28));
                break;
            case Command.RemoveSubscription:
                RemoveSubscription(client, correlationId, command.Int64(16));
                break;
            case Command.AddCounter:
                AddCounter(client, correlationId, command);
                break;
            case Command.AddStaticCounter:
                AddStaticCounter(correlationId, command);
                break;
            case Command.RemoveCounter:
                RemoveCounter(client, correlationId, command.Int64(16));
                break;
            case Command.NextSessionId:
                _ = command.Int32(16);
                _events.NextSessionId(correlationId, NextSessionId());
                break;
            case Command.AddDestination:
                AddDestination(client, correlationId, command.Int64(16), command.Text(24));
                break;
            case Command.RemoveDestination:
                RemoveDestination(client, correlationId, command.Int64(16), command.Text(24));
                break;
            case Command.RemoveDestinationById:
                RemoveDestinationById(client, correlationId, command.Int64(16), command.Int64(24));
                break;
            case Command.RejectImage:
                RejectImage(correlationId, command);
                break;
            case Command.AddReceiveDestination:
                AddReceiveDestination(client, correlationId, command.Int64(16), command.Text(24));
                break;
            case Command.RemoveReceiveDestination:
                RemoveReceiveDestination(client, correlationId, command.Int64(16), command.Text(24));
                break;
            default:
                throw new CommandException(DriverError.UnknownCommand, "unknown command");
        }
    }

    private void Terminate(in CommandReader command)
    {
        int length = command.Counted(16).Length;
        if (!_options.AllowsTermination || length > MaxTokenLength)
            throw new CommandException(DriverError.NotSupported, "clients may not end this driver");
        IsTerminationRequested = true;
    }

    private void AddCounter(DriverClient client, long correlationId, in CommandReader command)
    {
        ReadCounter(command, 16, out int type, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> label);
        RequireRoom();
        RequireNew(correlationId);
        int id = Allocate(type, key, Encoding.ASCII.GetString(label), 0, correlationId, client.Id);
        _registrations.Add(correlationId);
        client.Counters.Add((correlationId, id));
        _events.CounterReady(correlationId, id);
    }

    /// <summary>A counter that outlives the client: made once for a type and a registration id, found afterwards.</summary>
    private void AddStaticCounter(long correlationId, in CommandReader command)
    {
        long registrationId = command.Int64(16);
        ReadCounter(command, 24, out int type, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> label);
        int id = _counters.Find(type, registrationId);
        if (id < 0)
            id = Allocate(type, key, Encoding.ASCII.GetString(label), 0, registrationId, OwnClient);
        _events.StaticCounter(correlationId, id);
    }

    private static void ReadCounter(
        in CommandReader command, int offset, out int type, out ReadOnlySpan<byte> key, out ReadOnlySpan<byte> label)
    {
        type = command.Int32(offset);
        key = command.Counted(offset + 4);
        label = command.Counted(offset + 8 + ((key.Length + 3) & ~3));
        // A client that could make the driver's own kinds of counter could pass for another client or stream.
        if (type is >= CounterType.System and <= CounterType.LastOfDriver)
            throw new CommandException(DriverError.NotSupported, $"counters of type {type} are the driver's");
    }

    private void RemoveCounter(DriverClient client, long correlationId, long registrationId)
    {
        int index = client.Counters.FindIndex(counter => counter.RegistrationId == registrationId);
        if (index < 0)
            throw new CommandException(DriverError.UnknownCounter, $"no counter {registrationId}");
        int id = client.Counters[index].CounterId;
        client.Counters.RemoveAt(index);
        _registrations.Remove(registrationId);
        _counters.Free(id, NowMillis);
        _events.OperationSucceeded(correlationId);
        _events.CounterUnavailable(registrationId, id);
    }

    private void RequireRoom()
    {
        int used = 0;
        foreach (DriverClient client in _clients.Values)
            used += client.ResourceCount;
        if (used >= _options.MaxResources)
            throw new CommandException(DriverError.ResourceTemporarilyUnavailable, $"{used} resources are in use, no more");
    }

    /// <summary>An id names one thing; a client that uses another's would have both mixed up.</summary>
    private void RequireNew(long registrationId)
    {
        if (_registrations.Contains(registrationId))
            throw new CommandException(DriverError.Malformed, $"the id {registrationId} is in use");
    }

    private int NextSessionId()
    {
        do
        {
            if (_nextSessionId is >= Limits.ReservedSessionLow and <= Limits.ReservedSessionHigh)
                _nextSessionId = Limits.ReservedSessionHigh + 1;
            else
                _nextSessionId = unchecked(_nextSessionId + 1);
        }
        while (_nextSessionId is >= Limits.ReservedSessionLow and <= Limits.ReservedSessionHigh
            || _streams.Exists(stream => stream.SessionId == _nextSessionId));
        return _nextSessionId;
    }
}
